import { dismiss, notices } from '../data/notices.ts';
import { Button } from '../parts/button.tsx';
import { Icon } from '../parts/icon.tsx';

export function NoticeList() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map((notice) => (
        <div key={notice.id} class={`notice tone-${notice.tone}`}>
          <Icon name={notice.tone === 'ok' ? 'check' : 'cross'} />
          <span class="notice-text">
            <bdi>{notice.text}</bdi>
          </span>
          {notice.undo !== undefined && (
            <Button small icon="undo" onPress={notice.undo.run}>
              {notice.undo.label}
            </Button>
          )}
          <button type="button" class="icon-button" aria-label="Dismiss" onClick={() => dismiss(notice.id)}>
            <Icon name="cross" />
          </button>
        </div>
      ))}
    </div>
  );
}
