/**
 * The one connection that a tab keeps open: a browser gives six to a host, over all tabs.
 *
 * Whoever listens last has it; leaving it, or hiding the tab for long, closes it.
 */

export type Link = "opening" | "open" | "lost" | "refused";

export interface Listener {
  /** What to do with each kind of event; "message" is the one without a name. */
  events: Record<string, (data: string, id: string) => void>;
  /** How the connection is; "lost" tries again by itself. */
  link: (state: Link) => void;
  /** Where to go on after the connection was lost, if not where it began. */
  again?: () => string;
}

const AGAIN = 2_000; // milliseconds

let close: (() => void) | null = null;

/** Listen at `url` until the function that this gives is called, or something else listens. */
export function listen(url: string, listener: Listener): () => void {
  close?.();
  let source: EventSource | null = null;
  let timer = 0;
  const end = () => {
    window.clearTimeout(timer);
    source?.close();
    source = null;
    if (close === end) close = null;
  };
  const begin = (from: string) => {
    const opened = new EventSource(from);
    source = opened;
    let answered = false;
    opened.onopen = () => {
      answered = true;
      listener.link("open");
    };
    for (const [name, hear] of Object.entries(listener.events)) {
      opened.addEventListener(name, (event) => {
        const { data, lastEventId } = event as MessageEvent<string>;
        hear(data, lastEventId);
      });
    }
    opened.onerror = () => {
      opened.close(); // it would try again by itself, from where it began
      if (source !== opened) return;
      void fate(from, answered).then((state) => {
        if (source !== opened) return;
        listener.link(state);
        if (state === "refused") return;
        timer = window.setTimeout(() => begin(listener.again?.() ?? url), AGAIN);
      });
    };
  };
  close = end;
  listener.link("opening");
  begin(url);
  return end;
}

/** An EventSource does not say why it has failed: a server that answers HEAD with 4xx refuses. */
async function fate(url: string, answered: boolean): Promise<Link> {
  if (answered) return "lost";
  try {
    const { status } = await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(5_000) });
    return status >= 400 && status < 500 ? "refused" : "lost";
  } catch {
    return "lost";
  }
}
