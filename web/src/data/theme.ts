type Theme = 'light' | 'dark';

const key = 'adit-theme';

function stored(): Theme | null {
  const value = localStorage.getItem(key);
  return value === 'light' || value === 'dark' ? value : null;
}

function preferred(): Theme {
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

/** Applies the operator's choice; without one the system's stands. */
export function applyTheme(): void {
  document.documentElement.dataset['theme'] = stored() ?? preferred();
}

export function toggleTheme(): void {
  const current = document.documentElement.dataset['theme'];
  localStorage.setItem(key, current === 'dark' ? 'light' : 'dark');
  applyTheme();
}
