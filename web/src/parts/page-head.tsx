import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { Icon } from './icon.tsx';

interface PageHeadProps {
  readonly title: string;
  /** One sentence or a row of badges below the title. */
  readonly lead?: ComponentChildren;
  readonly parent?: { readonly href: string; readonly label: string };
  readonly children?: ComponentChildren;
}

/** Title, way back and actions of a page. Sets the window's title. */
export function PageHead({ title, lead, parent, children }: PageHeadProps) {
  useEffect(() => {
    document.title = `${title} · Adit`;
  }, [title]);
  return (
    <header class="page-head">
      <div class="page-head-text">
        {parent !== undefined && (
          <a class="back" href={parent.href}>
            <Icon name="back" size={14} /> {parent.label}
          </a>
        )}
        <h1 tabIndex={-1}>
          <bdi>{title}</bdi>
        </h1>
        {lead !== undefined && <div class="lead">{lead}</div>}
      </div>
      {children !== undefined && <div class="actions">{children}</div>}
    </header>
  );
}
