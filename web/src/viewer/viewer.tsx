/** The file that is open: over its folder, from which the next and the previous come. */

import { useEffect, useRef, useState } from "preact/hooks";
import { decode, size } from "../app/format";
import { lazy } from "../app/lazy";
import { Notice } from "../app/notice";
import { type Entry, type Kind, kindOf } from "../folder/entries";
import { KeysDialog } from "../folder/keys_dialog";
import type { Listing } from "../folder/listing";
import { keysOf } from "./keys";
import { Picture } from "./picture";
import "./viewer.css";

export interface FileProps {
  entry: Entry;
  /** Its address, from the root. */
  address: string;
  listing: Listing;
  /** To the file behind it, if that is to be played too. */
  onPlayed?: () => void;
}

const SHOWN: Partial<Record<Kind, (props: FileProps) => preact.JSX.Element>> = {
  picture: Picture,
  video: lazy(() => import("./media")),
  sound: lazy(() => import("./media")),
  text: lazy(() => import("./text")),
  document: lazy(() => import("./document")),
};

const PLAYED: ReadonlySet<Kind> = new Set(["video", "sound"]);

interface ViewerProps {
  listing: Listing;
  entries: readonly Entry[];
  file: string;
  onOpen: (href: string) => void;
  onClose: () => void;
}

export default function Viewer({ listing, entries, file, onOpen, onClose }: ViewerProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  const files = entries.filter((entry) => entry.type === "file" && entry.href !== null);
  const index = files.findIndex((entry) => entry.href === file);
  const entry = files[index] ?? listing.entries.find((each) => each.href === file);
  const to = (step: number) => {
    const next = index < 0 ? undefined : files[index + step];
    return next?.href ? () => onOpen(next.href ?? "") : undefined;
  };
  const [previous, next] = [to(-1), to(1)];
  const kind = entry ? kindOf(entry) : "other";
  const following = files[index + 1];
  const playsOn = index >= 0 && following !== undefined && PLAYED.has(kindOf(following));
  const [helping, setHelping] = useState(false);

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
    const over = target.closest("dialog"); // that of the keys may lie over this one
    if ((over && over !== dialog.current) || target.closest("input, textarea")) return;
    const steps: Record<string, (() => void) | undefined> = { p: previous, n: next };
    // In a text the arrows scroll, in a recording they seek.
    if (!PLAYED.has(kind) && !target.closest(".text-pages")) {
      steps.ArrowLeft = previous;
      steps.ArrowRight = next;
    }
    if (event.key === "?") setHelping(true);
    else if (event.key in steps) steps[event.key]?.();
    else return;
    event.preventDefault();
  };
  useEffect(() => {
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  });
  // What had the keyboard may have gone with the file before.
  useEffect(() => {
    if (!dialog.current?.contains(document.activeElement)) stage.current?.focus();
  }, [file]);
  const address = listing.path + file;
  const Shown = SHOWN[kind];
  return (
    <dialog
      ref={dialog}
      class={`viewer viewer-${kind}`}
      aria-label={entry?.name ?? decode(file)}
      onClose={onClose}
    >
      <header>
        <h2>{entry?.name ?? decode(file)}</h2>
        <p>
          {entry?.size != null && size(entry.size)}
          {index >= 0 && files.length > 1 && (
            <span class="place">{` · ${index + 1} of ${files.length}`}</span>
          )}
        </p>
        <div class="actions">
          <Step label="Previous" icon="previous" act={previous} />
          <Step label="Next" icon="next" act={next} />
          <button type="button" class="tool help" title="Keys (?)" onClick={() => setHelping(true)}>
            <span class="icon icon-keys" aria-hidden="true" />
            <span class="visually-hidden">Keys</span>
          </button>
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
      <div ref={stage} class="stage" tabIndex={-1} autofocus>
        {entry === undefined ? (
          <Waiting listing={listing} />
        ) : Shown ? (
          <Shown
            key={address}
            entry={entry}
            address={address}
            listing={listing}
            {...(playsOn && next && { onPlayed: next })}
          />
        ) : (
          <Notice
            icon={kind}
            title="There is no preview of this kind of file"
            text={entry.media_type ?? ""}
            actions={[{ label: "Download", act: () => location.assign(`${address}?download`) }]}
          />
        )}
      </div>
      {helping && <KeysDialog keys={keysOf(kind)} onClose={() => setHelping(false)} />}
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
