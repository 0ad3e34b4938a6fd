/** What stands where a folder has nothing to show: it is empty, missing, refused, lost, or not here yet. */

import { useEffect, useState } from "preact/hooks";
import { decode } from "../app/format";
import { type Action, Notice } from "../app/notice";
import { go } from "../app/router";
import { takesFiles } from "../app/views";
import type { Listing } from "./listing";

interface NothingProps {
  listing: Listing;
  filter: string;
  onClear: () => void;
}

export function Nothing({ listing, filter, onClear }: NothingProps) {
  const again = [{ label: "Try again", act: () => void listing.read() }];
  if (listing.state === "missing") return <Missing path={listing.path} />;
  if (listing.state === "refused") {
    return <Notice icon="other" title="The server did not show this folder" actions={again} />;
  }
  if (listing.state === "lost") {
    return (
      <Notice
        icon="waves"
        title="The server cannot be reached"
        text="The page tries again by itself."
        actions={again}
      />
    );
  }
  if (listing.state === "reading" && listing.entries.length === 0) {
    return <div class="pending" role="status" aria-label="Reading the folder" />;
  }
  if (filter.trim()) {
    return (
      <Notice
        icon="search"
        title={`Nothing here is called “${filter.trim()}”`}
        actions={[{ label: "Show everything", act: onClear }]}
      />
    );
  }
  return (
    <Notice
      title="This folder is empty"
      text={
        takesFiles() ? "Choose files to upload, or drop them anywhere on this page." : undefined
      }
    />
  );
}

/** A folder that is not there, and the way back: to the nearest one that is, and to all files. */
function Missing({ path }: { path: string }) {
  const [nearest, setNearest] = useState("/");
  useEffect(() => {
    const search = new AbortController();
    findNearest(path, search.signal).then(setNearest, () => undefined);
    return () => search.abort();
  }, [path]);
  const actions: Action[] = [{ label: "All files", act: () => go("/") }];
  if (nearest !== "/") {
    const name = decode(nearest.split("/").at(-2) ?? "");
    actions.unshift({ label: `The folder “${name}”`, act: () => go(nearest) });
  }
  return (
    <Notice
      icon="other"
      title="There is no such folder"
      text="It may have been moved or removed."
      actions={actions}
    />
  );
}

/** The path of the nearest folder above `path` that is there. */
async function findNearest(path: string, signal: AbortSignal): Promise<string> {
  let above = path;
  while (above !== "/") {
    above = above.replace(/[^/]*\/$/, "");
    const answer = await fetch(`${above}?limit=1`, {
      headers: { accept: "application/json" },
      signal,
    });
    await answer.arrayBuffer(); // what is not read counts as broken off
    if (answer.ok) break;
  }
  return above;
}
