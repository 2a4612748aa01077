import { notify } from '../data/notices.ts';
import { Button } from './button.tsx';

/** Text to copy: a command, a config, a token. */
export function CodeBlock({ text, label }: { text: string; label: string }) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      notify('ok', `${label} copied.`);
    } catch {
      notify('bad', 'The browser does not allow copying here. Select the text instead.');
    }
  };
  return (
    <div class="code">
      <pre tabIndex={0} aria-label={label}>
        {text}
      </pre>
      <Button small icon="copy" onPress={copy}>
        Copy
      </Button>
    </div>
  );
}

export function JsonView({ value, label }: { value: unknown; label: string }) {
  return (
    <pre class="json" tabIndex={0} aria-label={label}>
      {JSON.stringify(value, null, 2)}
    </pre>
  );
}
