/** One thing to say where there is nothing else to show: empty, missing, refused, lost. */

export interface Action {
  label: string;
  act: () => void;
}

interface NoticeProps {
  title: string;
  text?: string | undefined;
  /** What can be typed in a terminal. */
  command?: string;
  actions?: readonly Action[];
  icon?: string;
}

export function Notice({ title, text, command, actions = [], icon = "folder" }: NoticeProps) {
  return (
    <section class="notice" role="status">
      <span class={`icon icon-${icon}`} aria-hidden="true" />
      <h2>{title}</h2>
      {text && <p>{text}</p>}
      {command && <code>{command}</code>}
      {actions.length > 0 && (
        <div class="notice-actions">
          {actions.map(({ label, act }) => (
            <button key={label} type="button" onClick={act}>
              {label}
            </button>
          ))}
        </div>
      )}
    </section>
  );
}
