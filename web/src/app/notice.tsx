/** One thing to say where there is nothing else to show: empty, missing, refused, lost. */

export interface Action {
  label: string;
  act: () => void;
}

export function Notice(props: { title: string; text?: string; action?: Action; icon?: string }) {
  return (
    <section class="notice" role="status">
      <span class={`icon icon-${props.icon ?? "folder"}`} aria-hidden="true" />
      <h2>{props.title}</h2>
      {props.text && <p>{props.text}</p>}
      {props.action && (
        <button type="button" onClick={props.action.act}>
          {props.action.label}
        </button>
      )}
    </section>
  );
}
