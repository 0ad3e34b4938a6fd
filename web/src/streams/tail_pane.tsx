/** One stream: its last messages, as they come, and a line to append one by hand. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { count, size } from "../app/format";
import { Notice } from "../app/notice";
import { append, isJson, isText, Refused, type Stream } from "./api";
import { Tail } from "./tail";

const LOST = "The server cannot be reached: nothing was appended, as far as is known.";
const SHORT = 1_000_000; // bytes: what is longer is followed from its end

export function TailPane({ stream }: { stream: Stream }) {
  const [, changed] = useState(0);
  const [whole, setWhole] = useState(stream.size <= SHORT);
  const [tail, setTail] = useState<Tail | null>(null);
  const [atEnd, setAtEnd] = useState(true);
  const box = useRef<HTMLDivElement>(null);
  const { path } = stream; // the object is another one at each look at the list
  useEffect(() => {
    if (!isText(stream)) return;
    const opened = new Tail(stream, whole ? null : "now", () => changed((turn) => turn + 1));
    setTail(opened);
    return () => opened.close();
  }, [path, whole]);
  const last = tail?.messages.at(-1)?.id;
  useLayoutEffect(() => {
    if (atEnd && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [last, atEnd]);
  const scrolled = ({ currentTarget }: { currentTarget: HTMLDivElement }) => {
    const { scrollTop, scrollHeight, clientHeight } = currentTarget;
    setAtEnd(scrollHeight - clientHeight - scrollTop < 24);
  };
  if (!isText(stream)) {
    return (
      <section class="tail" aria-label={stream.name}>
        <Notice
          icon="other"
          title="This stream is not text"
          text={`It holds ${stream.content_type}.`}
        />
        <p>
          <a href={`${stream.path}?offset=-1`} download>
            Download it
          </a>
        </p>
      </section>
    );
  }
  return (
    <section class="tail" aria-label={`The end of ${stream.name}`}>
      <header>
        <h2>{stream.name}</h2>
        <p class={`link ${stateOf(tail)[0]}`} role="status">
          {stateOf(tail)[1]}
        </p>
      </header>
      {!whole && (
        <p class="soft">
          {size(stream.size)} came before you looked.{" "}
          <button type="button" onClick={() => setWhole(true)}>
            Read from the beginning
          </button>
        </p>
      )}
      <div
        class="messages"
        ref={box}
        tabIndex={0}
        role="log"
        aria-label="Messages"
        aria-live="off"
        onScroll={scrolled}
      >
        {tail && tail.dropped > 0 && (
          <p class="soft">{count(tail.dropped, "earlier one")} no longer shown</p>
        )}
        {tail?.messages.length === 0 && tail.upToDate && <p class="soft">Nothing yet.</p>}
        {tail?.messages.map(({ id, text }) => (
          <div key={id}>{text || " "}</div>
        ))}
      </div>
      {!atEnd && (
        <button type="button" onClick={() => setAtEnd(true)}>
          Follow the end
        </button>
      )}
      {stream.closed || tail?.closed ? (
        <p class="soft">It is closed: nothing can be appended any more.</p>
      ) : (
        <AppendForm stream={stream} onAppended={() => setAtEnd(true)} />
      )}
    </section>
  );
}

/** How the connection is: a class, and words. */
function stateOf(tail: Tail | null): [string, string] {
  if (tail?.closed) return ["over", "Closed"];
  switch (tail?.link) {
    case "open":
      return tail.upToDate ? ["live", "Live"] : ["opening", "Catching up"];
    case "lost":
      return ["gone", "Connection lost; trying again"];
    case "refused":
      return ["gone", "It is no longer there"];
    default:
      return ["opening", "Opening"];
  }
}

function AppendForm({ stream, onAppended }: { stream: Stream; onAppended: () => void }) {
  const [words, setWords] = useState("");
  const json = isJson(stream);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const text = String(new FormData(form).get("line"));
    if (json && !isValid(text)) {
      setWords('This stream holds JSON, such as {"level": 1.4} or "a text".');
      return;
    }
    try {
      await append(stream, text);
      setWords("");
      form.reset();
      onAppended();
    } catch (error) {
      setWords(error instanceof Refused ? error.message : LOST);
    }
  };
  return (
    <form class="append" onSubmit={(event) => void submit(event)}>
      <label>
        <span class="visually-hidden">
          {json ? "A value to append, as JSON" : "A line to append"}
        </span>
        <input
          name="line"
          required
          autoComplete="off"
          placeholder={json ? '{"level": 1.4}' : "A line to append"}
        />
      </label>
      <button type="submit" class="main">
        Append
      </button>
      {words && (
        <p class="wrong" role="alert">
          {words}
        </p>
      )}
    </form>
  );
}

function isValid(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
