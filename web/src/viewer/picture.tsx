/** A picture: whole at first, and as close as a person wants; it appears while it arrives. */

import { useEffect, useRef, useState } from "preact/hooks";
import { Notice } from "../app/notice";
import type { FileProps } from "./viewer";

const STEP = 1.5;
const CLOSEST = 16;

/** The next zoom: 0 is the whole picture, 1 a pixel for a pixel. */
export function zoomed(now: number, fitting: number, closer: boolean): number {
  const from = now || fitting;
  const to = closer ? from * STEP : from / STEP;
  return to <= fitting * 1.01 ? 0 : Math.min(to, CLOSEST);
}

export function Picture({ entry, address }: FileProps) {
  const image = useRef<HTMLImageElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<"loading" | "here" | "failed">("loading");
  const [attempt, setAttempt] = useState(0);
  const [zoom, setZoom] = useState(0);

  useEffect(() => {
    const shown = image.current;
    // Without this a browser loads on when the next picture is asked for.
    return () => shown?.removeAttribute("src");
  }, [attempt]);

  const natural = () => image.current?.naturalWidth || 1;
  const change = (closer: boolean) => {
    const box = frame.current;
    if (!box || !image.current) return;
    const fitting = zoom
      ? shareThatFits(box, image.current)
      : image.current.clientWidth / natural();
    setZoom(zoomed(zoom, fitting, closer));
  };
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key === "+" || event.key === "=") change(true);
      else if (event.key === "-") change(false);
      else if (event.key === "0") setZoom(0);
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  });

  if (state === "failed") {
    const again = () => {
      setState("loading");
      setAttempt(attempt + 1);
    };
    return (
      <Notice
        icon="picture"
        title="The picture did not arrive"
        text="The connection was lost, or the file is no picture that this browser knows."
        actions={[{ label: "Try again", act: again }]}
      />
    );
  }
  return (
    <>
      {state === "loading" && (
        <div class="pending" role="status" aria-label="Loading the picture" />
      )}
      <div
        ref={frame}
        class={zoom ? "picture-frame zoomed" : "picture-frame"}
        onWheel={(event) => {
          if (!event.ctrlKey) return;
          event.preventDefault();
          change(event.deltaY < 0);
        }}
      >
        <img
          key={attempt}
          ref={image}
          src={address}
          alt={entry.name}
          style={
            zoom ? { width: `${natural() * zoom}px`, maxWidth: "none", maxHeight: "none" } : {}
          }
          onLoad={() => setState("here")}
          onError={() => setState("failed")}
          onDblClick={() => setZoom(zoom ? 0 : 1)}
        />
      </div>
      <div class="zoom" role="group" aria-label="Zoom">
        <button type="button" title="Farther (-)" disabled={!zoom} onClick={() => change(false)}>
          <span class="icon icon-minus" aria-hidden="true" />
          <span class="visually-hidden">Farther</span>
        </button>
        <button
          type="button"
          onClick={() => setZoom(zoom ? 0 : 1)}
          title="Whole, or a pixel for a pixel"
        >
          {zoom ? `${Math.round(zoom * 100)} %` : "Whole"}
        </button>
        <button type="button" title="Closer (+)" onClick={() => change(true)}>
          <span class="icon icon-plus" aria-hidden="true" />
          <span class="visually-hidden">Closer</span>
        </button>
      </div>
    </>
  );
}

/** How large a picture is that fills its frame, as a share of its own size. */
function shareThatFits(box: HTMLElement, image: HTMLImageElement): number {
  const wide = box.clientWidth / (image.naturalWidth || 1);
  const high = box.clientHeight / (image.naturalHeight || 1);
  return Math.min(1, wide, high);
}
