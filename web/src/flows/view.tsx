/** Every transfer of the server: what moves, how fast, and who waits for whom. */

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { count, rate } from "../app/format";
import { Notice } from "../app/notice";
import { type Why, whyOf } from "./flow";
import { FlowLine } from "./flow_line";
import { Graph } from "./graph";
import { RateChoice } from "./rate_choice";
import { Trial } from "./trial";
import { type Line, limitAll, Watch } from "./watch";
import "./flows.css";

const SHOWN = 100; // lines; more would not be read, and cost frames

const KINDS: readonly (readonly [Why, string])[] = [
  ["moving", "moving"],
  ["peer", "paced by the other side"],
  ["source", "waiting for this side"],
  ["limit", "held back by a limit"],
  ["paused", "paused"],
];

export default function Flows() {
  const [watch, setWatch] = useState<Watch | null>(null);
  const [, setTurn] = useState(0);
  useEffect(() => {
    document.title = "Transfers · riverrun";
    const opened = new Watch(() => setTurn((turn) => turn + 1));
    setWatch(opened);
    return () => opened.close();
  }, []);
  if (watch === null || watch.link === "opening") {
    return (
      <Frame>
        <div class="pending" role="status" aria-label="Asking the server" />
      </Frame>
    );
  }
  if (watch.link === "refused") {
    return (
      <Frame>
        <Notice
          icon="waves"
          title="This server shows its transfers to its own machine only"
          text="Whoever runs it can open them to others: riverrun serve --allow watch"
        />
      </Frame>
    );
  }
  return (
    <Frame>
      {watch.link === "lost" && (
        <p class="lost" role="status">
          The connection to the server is lost. This is how it was; the page goes on trying.
        </p>
      )}
      <Transfers watch={watch} />
      <Trial />
    </Frame>
  );
}

function Frame({ children }: { children: ComponentChildren }) {
  return (
    <main class="flows">
      <div class="heading">
        <h1>Transfers</h1>
      </div>
      {children}
    </main>
  );
}

function Transfers({ watch }: { watch: Watch }) {
  const [only, setOnly] = useState<Why | null>(null);
  const [words, setWords] = useState("");
  const { total, limits, steerable } = watch;
  const all = [...watch.lines.values()].sort((one, other) => other.key - one.key);
  const going = all.filter(({ ended }) => ended === 0);
  const shown = only === null ? all : going.filter(({ flow }) => whyOf(flow) === only);
  return (
    <>
      <div class="overall">
        <p>
          <strong>{rate(going.reduce((sum, { flow }) => sum + (flow.rate ?? 0), 0))}</strong>
          <span class="soft">
            {going.length === 0 ? " in all" : ` in ${count(going.length, "transfer")}`}
          </span>
        </p>
        <Graph rates={total} name="Rate of all" />
        {steerable && (
          <RateChoice
            label="Limit of all transfers together"
            none="No limit for all"
            rate={limits.total_rate}
            onChoose={(limit) => void limitAll(limit).then(setWords)}
          />
        )}
      </div>
      {words && (
        <p class="wrong" role="alert">
          {words}
        </p>
      )}
      <Kinds going={going} only={only} onOnly={setOnly} />
      {shown.length === 0 && (
        <Notice
          icon="waves"
          title="Nothing is on its way"
          text="A download, an upload, a film, a stream: each is here while it lasts."
        />
      )}
      <ul class="lines">
        {shown.slice(0, SHOWN).map((line) => (
          <FlowLine key={line.key} line={line} steerable={steerable} />
        ))}
      </ul>
      {shown.length > SHOWN && <p class="soft">and {shown.length - SHOWN} more</p>}
    </>
  );
}

/** How many do what; each can be chosen to see these only. */
function Kinds(props: { going: Line[]; only: Why | null; onOnly: (why: Why | null) => void }) {
  const { going, only, onOnly } = props;
  const counted = KINDS.map(([why, text]) => {
    const many = going.filter(({ flow }) => whyOf(flow) === why).length;
    return { why, text, many };
  });
  return (
    <div class="kinds" role="group" aria-label="Show only">
      {counted
        .filter(({ why, many }) => many > 0 || only === why)
        .map(({ why, text, many }) => (
          <button
            key={why}
            type="button"
            class={`why-${why}`}
            aria-pressed={only === why}
            onClick={() => onOnly(only === why ? null : why)}
          >
            <span class="dot" aria-hidden="true" />
            {many} {text}
          </button>
        ))}
    </div>
  );
}
