/** The streams of the server: which there are, and the end of one of them as it grows. */

import { useCallback, useEffect, useState } from "preact/hooks";
import { decode, size } from "../app/format";
import { Notice } from "../app/notice";
import { go, usePlace } from "../app/router";
import { create, isText, list, Refused, type Stream } from "./api";
import { TailPane } from "./tail_pane";
import "./streams.css";

const LOOK = 3_000; // milliseconds between two looks at the list

type Listing = { state: "opening" | "open" | "lost" } | { state: "refused"; words: string };

export default function Streams() {
  const [listing, setListing] = useState<Listing>({ state: "opening" });
  const [streams, setStreams] = useState<Stream[]>([]);
  const name = decode(usePlace().file);
  const look = useCallback(async () => {
    try {
      setStreams(await list());
      setListing({ state: "open" });
    } catch (error) {
      const refused = error instanceof Refused && error.status < 500;
      setListing(refused ? { state: "refused", words: error.message } : { state: "lost" });
    }
  }, []);
  useEffect(() => {
    document.title = "Streams · riverrun";
    void look();
    const timer = setInterval(() => void (document.hidden || look()), LOOK);
    return () => clearInterval(timer);
  }, [look]);
  return (
    <main class="streams">
      <div class="heading">
        <h1>Streams</h1>
        <p class="soft">
          Written once, kept, and read by many: from the beginning, or as it grows.
        </p>
      </div>
      {listing.state === "lost" && (
        <p class="lost" role="status">
          The server cannot be reached. The page goes on trying.
        </p>
      )}
      {listing.state === "opening" && (
        <div class="pending" role="status" aria-label="Asking the server" />
      )}
      {listing.state === "refused" && (
        <Notice icon="waves" title="The server does not show its streams" text={listing.words} />
      )}
      {(listing.state === "open" || streams.length > 0) && (
        <div class="panes">
          <div class="choice">
            <StreamList streams={streams} name={name} />
            <NewStream onMade={look} open={streams.length === 0} />
          </div>
          <Chosen streams={streams} name={name} />
        </div>
      )}
    </main>
  );
}

function addressOf(name: string): string {
  return `/~/streams#${encodeURIComponent(name)}`;
}

function StreamList({ streams, name }: { streams: Stream[]; name: string }) {
  return (
    <ul class="names" aria-label="Streams">
      {streams.map((stream) => (
        <li key={stream.name}>
          <a href={addressOf(stream.name)} aria-current={stream.name === name ? "true" : undefined}>
            <span>{stream.name}</span>
            <span class="soft">
              {size(stream.size)}
              {stream.closed && ", closed"}
              {!isText(stream) && `, ${stream.content_type}`}
            </span>
          </a>
        </li>
      ))}
    </ul>
  );
}

function Chosen({ streams, name }: { streams: Stream[]; name: string }) {
  const chosen = streams.find((stream) => stream.name === name);
  if (chosen) return <TailPane key={chosen.path} stream={chosen} />;
  if (name) {
    return (
      <Notice
        icon="waves"
        title={`There is no stream called “${name}”`}
        text="It may have expired."
      />
    );
  }
  return streams.length > 0 ? (
    <Notice icon="waves" title="Choose a stream to follow it" />
  ) : (
    <Notice
      icon="waves"
      title="There is no stream yet"
      text="Make one here, or let a program write one:"
      command={`make 2>&1 | riverrun append ${location.origin}/v1/stream/build`}
    />
  );
}

function NewStream({ onMade, open }: { onMade: () => Promise<void>; open: boolean }) {
  const [words, setWords] = useState("");
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const fields = new FormData(form);
    const name = String(fields.get("name")).trim();
    try {
      await create(name, String(fields.get("type")));
      setWords("");
      form.reset();
      await onMade();
      go(addressOf(name));
    } catch (error) {
      setWords(error instanceof Refused ? error.message : "The server cannot be reached.");
    }
  };
  return (
    <details class="new" open={open}>
      <summary>New stream</summary>
      <form onSubmit={(event) => void submit(event)}>
        <label>
          Name
          <input
            name="name"
            required
            maxLength={200}
            pattern="[^?#\s]+"
            placeholder="builds/today"
          />
        </label>
        <label>
          Of
          <select name="type">
            <option value="text/plain; charset=utf-8">lines of text</option>
            <option value="application/json">JSON values</option>
          </select>
        </label>
        <button type="submit" class="main">
          Make it
        </button>
        {words && (
          <p class="wrong" role="alert">
            {words}
          </p>
        )}
      </form>
    </details>
  );
}
