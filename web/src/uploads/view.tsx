/** All that is coming in: what this tab sends, and what others send or have left unfinished. */

import { useCallback, useEffect, useState } from "preact/hooks";
import { decode, fullDate, size } from "../app/format";
import { Notice } from "../app/notice";
import { giveUp, type Known, unfinished } from "./elsewhere";
import Intake from "./intake";
import { queue } from "./queue";
import { UploadList } from "./upload_list";
import "./uploads.css";

const LOOK = 2_000; // milliseconds between two looks at what the server has

export default function Uploads() {
  const [, setTurn] = useState(0);
  const [known, setKnown] = useState<Known[] | null>(null);
  const [lost, setLost] = useState(false);
  const look = useCallback(async () => {
    try {
      setKnown(await unfinished());
      setLost(false);
    } catch {
      setLost(true);
    }
  }, []);
  useEffect(() => queue.subscribe(() => setTurn((turn) => turn + 1)), []);
  useEffect(() => {
    document.title = "Uploads · riverrun";
    void look();
    const timer = setInterval(() => void (document.hidden || look()), LOOK);
    return () => clearInterval(timer);
  }, [look]);
  const ours = new Set(queue.uploads.map(({ id }) => id));
  const others = known?.filter(({ id }) => !ours.has(id)) ?? [];
  return (
    <main class="incoming">
      <div class="heading with-actions">
        <h1>Uploads</h1>
        <Intake folder="" />
      </div>
      {lost && (
        <p class="lost" role="status">
          The server cannot be reached. The page goes on trying.
        </p>
      )}
      {known === null && !lost && (
        <div class="pending" role="status" aria-label="Asking the server" />
      )}
      {queue.uploads.length > 0 && (
        <section aria-labelledby="own">
          <h2 id="own">From this tab</h2>
          <UploadList queue={queue} />
        </section>
      )}
      {others.length > 0 && (
        <section aria-labelledby="others">
          <h2 id="others">From elsewhere, unfinished</h2>
          <ul class="uploads">
            {others.map((each) => (
              <Other key={each.id} known={each} onGone={look} />
            ))}
          </ul>
        </section>
      )}
      {known !== null && queue.uploads.length === 0 && others.length === 0 && (
        <Notice
          icon="folder"
          title="Nothing is being uploaded"
          text="Drop files or folders anywhere on this page, or on a folder's. What is cut off goes on from where the server stands."
        />
      )}
    </main>
  );
}

function Other({ known, onGone }: { known: Known; onGone: () => Promise<void> }) {
  const { offset, length, receiving, target, created, expires } = known;
  const name = decode((target ?? "").replace(/^\//, "")) || "without a name yet";
  const come = length === null ? size(offset) : `${size(offset)} of ${size(length)}`;
  const state = receiving
    ? "arriving now"
    : `waiting for its sender, kept until ${fullDate(expires)}`;
  return (
    <li class="upload">
      <p class="upload-name" title={name}>
        {name}
      </p>
      <p class="upload-words">
        {come}, {state}; begun {fullDate(created)}
      </p>
      {length !== null && (
        <progress
          max={Math.max(1, length)}
          value={offset}
          aria-label={`How much of ${name} has come`}
        />
      )}
      <div class="levers">
        <button type="button" onClick={() => void giveUp(known).then(onGone)}>
          Give up<span class="visually-hidden"> {name}</span>
        </button>
      </div>
    </li>
  );
}
