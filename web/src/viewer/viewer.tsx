/** The file that is open: over its folder, from which the next and the previous come. */

import { useEffect, useRef } from "preact/hooks";
import { size } from "../app/format";
import { lazy } from "../app/lazy";
import { Notice } from "../app/notice";
import { type Entry, type Kind, kindOf } from "../folder/entries";
import type { Listing } from "../folder/listing";
import { Picture } from "./picture";
import "./viewer.css";

export interface FileProps {
  entry: Entry;
  /** Its address, from the root. */
  address: string;
  listing: Listing;
  onNext?: () => void;
}

const SHOWN: Partial<Record<Kind, (props: FileProps) => preact.JSX.Element>> = {
  picture: Picture,
  video: lazy(() => import("./media")),
  sound: lazy(() => import("./media")),
  text: lazy(() => import("./text")),
  document: lazy(() => import("./document")),
};

interface ViewerProps {
  listing: Listing;
  entries: readonly Entry[];
  file: string;
  onOpen: (href: string) => void;
  onClose: () => void;
}

export default function Viewer({ listing, entries, file, onOpen, onClose }: ViewerProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const files = entries.filter((entry) => entry.type === "file" && entry.href !== null);
  const index = files.findIndex((entry) => entry.href === file);
  const entry = files[index] ?? listing.entries.find((each) => each.href === file);
  const to = (step: number) => {
    const next = index < 0 ? undefined : files[index + step];
    return next?.href ? () => onOpen(next.href ?? "") : undefined;
  };
  const [previous, next] = [to(-1), to(1)];

  useEffect(() => {
    dialog.current?.showModal();
    const { overflow } = document.documentElement.style;
    document.documentElement.style.overflow = "hidden";
    return () => {
      document.documentElement.style.overflow = overflow;
    };
  }, []);
  useEffect(() => {
    if (entry) document.title = `${entry.name} · riverrun`;
  }, [entry]);

  const press = (event: KeyboardEvent) => {
    const target = event.target as Element;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.closest("input, textarea, video, audio, .text-pages")) return;
    const step = event.key === "ArrowRight" ? next : event.key === "ArrowLeft" ? previous : null;
    if (step === null) return;
    event.preventDefault();
    step?.();
  };
  const address = listing.path + file;
  const kind = entry ? kindOf(entry) : "other";
  const Shown = SHOWN[kind];
  return (
    <dialog
      ref={dialog}
      class={`viewer viewer-${kind}`}
      aria-label={entry?.name ?? "File"}
      onClose={onClose}
      onKeyDown={press}
    >
      <header>
        <h2>{entry?.name ?? ""}</h2>
        <p>
          {entry?.size != null && size(entry.size)}
          {index >= 0 && files.length > 1 && (
            <span class="place">{` · ${index + 1} of ${files.length}`}</span>
          )}
        </p>
        <div class="actions">
          <Step label="Previous" icon="previous" act={previous} />
          <Step label="Next" icon="next" act={next} />
          <a class="tool" href={address} target="_blank" rel="noopener" title="Open by itself">
            <span class="icon icon-open" aria-hidden="true" />
            <span class="visually-hidden">Open by itself</span>
          </a>
          <a class="tool" href={`${address}?download`} download title="Download">
            <span class="icon icon-download" aria-hidden="true" />
            <span class="visually-hidden">Download</span>
          </a>
          <button type="button" class="tool" title="Close" onClick={() => dialog.current?.close()}>
            <span class="icon icon-close" aria-hidden="true" />
            <span class="visually-hidden">Close</span>
          </button>
        </div>
      </header>
      <div class="stage" tabIndex={-1} autofocus>
        {entry === undefined ? (
          <Waiting listing={listing} />
        ) : Shown ? (
          <Shown
            key={address}
            entry={entry}
            address={address}
            listing={listing}
            {...(next && { onNext: next })}
          />
        ) : (
          <Notice
            icon={kind}
            title="There is no preview of this kind of file"
            text={entry.media_type ?? ""}
            action={{ label: "Download", act: () => location.assign(`${address}?download`) }}
          />
        )}
      </div>
    </dialog>
  );
}

function Step(props: { label: string; icon: string; act: (() => void) | undefined }) {
  return (
    <button
      type="button"
      class="tool step"
      title={props.label}
      disabled={!props.act}
      onClick={() => props.act?.()}
    >
      <span class={`icon icon-${props.icon}`} aria-hidden="true" />
      <span class="visually-hidden">{props.label}</span>
    </button>
  );
}

function Waiting({ listing }: { listing: Listing }) {
  if (listing.state === "reading")
    return <div class="pending" role="status" aria-label="Loading" />;
  return (
    <Notice
      icon="other"
      title="There is no such file here"
      text="It may have been renamed or removed."
    />
  );
}
