/** One transfer, with its levers. */

import { useState } from "preact/hooks";
import { decode, duration, rate, size } from "../app/format";
import { agent, explain, type Flow, progressOf, type Reason, waitedMost, whyOf } from "./flow";
import { Graph } from "./graph";
import { Pipe } from "./pipe";
import { RateChoice } from "./rate_choice";
import { cancel, type Line, steer } from "./watch";

const WAITED_FOR: Record<Reason, string> = {
  peer: "for the other side",
  source: "for this side",
  limit: "because of a limit",
  paused: "while paused",
};

export function FlowLine({ line, steerable }: { line: Line; steerable: boolean }) {
  const { flow, rates, ended } = line;
  const [words, setWords] = useState("");
  const why = ended > 0 ? "ended" : whyOf(flow);
  const name = flow.name ?? nameOf(flow);
  const paused = flow.state === "paused";
  const act = async (deed: Promise<string>) => setWords(await deed);
  return (
    <li class={`flow why-${why}`} data-flow={flow.id}>
      <div class="flow-head">
        <h2 title={pathOf(flow)}>
          <span class="way" aria-hidden="true">
            {flow.direction === "out" ? "↓" : "↑"}
          </span>
          {name}
        </h2>
        <p class="soft">
          {flow.direction === "out" ? "to" : "from"} {agent(flow)}
          {flow.peer && `, ${flow.peer}`}
        </p>
      </div>
      <div class="flow-rate">
        <Graph rates={rates} name={`Rate of ${name}`} />
        <span>{ended > 0 ? "over" : rate(flow.rate ?? 0)}</span>
      </div>
      {ended === 0 && <Pipe flow={flow} />}
      <p class="flow-words">
        <span class="dot" aria-hidden="true" />
        {ended > 0 ? summary(flow) : explain(flow, rate)}
      </p>
      <div class="flow-foot">
        <Progress flow={flow} />
        {steerable && ended === 0 && (
          <div class="levers">
            <button type="button" onClick={() => void act(steer(flow, { paused: !paused }))}>
              {paused ? "Resume" : "Pause"}
              <span class="visually-hidden"> {name}</span>
            </button>
            <RateChoice
              label={`Limit of ${name}`}
              rate={flow.limit}
              onChoose={(limit) => void act(steer(flow, { rate: limit }))}
            />
            <button type="button" onClick={() => void act(cancel(flow))}>
              Cancel<span class="visually-hidden"> {name}</span>
            </button>
          </div>
        )}
      </div>
      {words && (
        <p class="wrong" role="alert">
          {words}
        </p>
      )}
    </li>
  );
}

function Progress({ flow }: { flow: Flow }) {
  const { there, whole } = progressOf(flow);
  const speed = flow.rate ?? 0;
  const waited = waitedMost(flow);
  const left = whole !== null && speed > 0 ? `, ${duration((whole - there) / speed)} left` : "";
  return (
    <div class="progress">
      {whole !== null && (
        <progress
          max={Math.max(1, whole)}
          value={there}
          aria-label={`how much of ${flow.name ?? nameOf(flow)}`}
        />
      )}
      <p class="soft">
        {whole === null
          ? `${size(there)}, no end known`
          : `${size(there)} of ${size(whole)}${left}`}
        {waited && ` · waited ${duration(waited.seconds)} ${WAITED_FOR[waited.reason]}`}
      </p>
    </div>
  );
}

function summary(flow: Flow): string {
  const took = `${size(flow.moved)} in ${duration(flow.age)}`;
  const { there, whole } = progressOf(flow);
  if (flow.expected !== null && flow.moved < flow.expected) {
    return `Cut off: ${took}, of ${size(whole ?? flow.expected)}.`;
  }
  if (whole !== null && there < whole)
    return `A piece is through: ${took}, up to ${size(there)} of ${size(whole)}.`;
  return `Done: ${took}.`;
}

function pathOf(flow: Flow): string {
  const [path = ""] = (flow.target ?? "").split("?");
  return path.split("/").map(decode).join("/");
}

function nameOf(flow: Flow): string {
  const path = pathOf(flow);
  const last = path.split("/").filter(Boolean).at(-1);
  if (last === undefined) return "the first folder";
  return path.endsWith("/") ? `${last}/` : last;
}
