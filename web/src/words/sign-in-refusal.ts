import type { SignInRefusal } from '../data/shapes.ts';

const words: Readonly<Record<SignInRefusal['sign_in'], string>> = {
  not_started: 'The single sign-on was not started in this browser. Start it again.',
  expired: 'The single sign-on took too long. Start it again.',
  provider_away: 'The identity provider cannot be reached. Try again later, or sign in with a password.',
  not_confirmed: 'The identity provider did not confirm the sign-in',
  no_role: 'None of your groups has a role here. Ask an administrator.',
  disabled: 'This user is disabled here. Ask an administrator.',
};

/** What a refused single sign-on means, from the query that it leads back with; null without one. */
export function signInRefusal(query: URLSearchParams): string | null {
  const reason = query.get('sign_in') ?? '';
  if (!isReason(reason)) return null;
  if (reason !== 'not_confirmed') return words[reason];
  const code = query.get('provider') ?? '';
  return `${words[reason]}${/^[a-z_]{1,60}$/.test(code) ? ` (${code})` : ''}.`;
}

function isReason(text: string): text is SignInRefusal['sign_in'] {
  return Object.hasOwn(words, text);
}
