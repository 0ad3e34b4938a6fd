/** JSON as a tree whose branches open and close; those that are long hold their first members. */

import { useState } from "preact/hooks";
import { Notice } from "../app/notice";

const SHOWN = 100; // members of a branch that are drawn at once
const OPEN_DEPTH = 2;

export default function JSONTree({ text }: { text: string }) {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return (
      <Notice icon="text" title="This is no valid JSON" text={String((error as Error).message)} />
    );
  }
  return (
    <div class="json" tabIndex={0} role="region" aria-label="JSON">
      <Value value={value} depth={0} />
    </div>
  );
}

function Value({ name, value, depth }: { name?: string; value: unknown; depth: number }) {
  const label = name === undefined ? null : <span class="json-name">{name}: </span>;
  if (value === null || typeof value !== "object") {
    const kind = value === null ? "null" : typeof value;
    return (
      <div class="json-leaf">
        {label}
        <span class={`json-${kind}`}>{JSON.stringify(value)}</span>
      </div>
    );
  }
  return <Branch label={label} value={value} depth={depth} />;
}

function Branch(props: { label: preact.JSX.Element | null; value: object; depth: number }) {
  const { label, value, depth } = props;
  const [open, setOpen] = useState(depth < OPEN_DEPTH);
  const [shown, setShown] = useState(SHOWN);
  const isArray = Array.isArray(value);
  const members = Object.entries(value);
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {label}
        <span class="json-count">{isArray ? `[${members.length}]` : `{${members.length}}`}</span>
      </summary>
      {open &&
        members
          .slice(0, shown)
          .map(([name, member]) => (
            <Value key={name} name={name} value={member} depth={depth + 1} />
          ))}
      {open && members.length > shown && (
        <button type="button" onClick={() => setShown(shown + 10 * SHOWN)}>
          {`${members.length - shown} more`}
        </button>
      )}
    </details>
  );
}
