/** A listing, and the component drawn anew with it: once a frame at the most. */

import { useEffect, useMemo, useState } from "preact/hooks";
import type { Ordering } from "./entries";
import { Listing } from "./listing";

let prepared: Listing | undefined;

/** Begin to read a folder for who is going to show it; settles when there is something to be shown. */
export async function prepare(path: string, ordering: Ordering): Promise<void> {
  const listing = new Listing(path, ordering);
  prepared = listing;
  await new Promise<void>((resolve) => {
    listing.addEventListener("change", () => {
      if (listing.entries.length > 0 || listing.state !== "reading") resolve();
    });
  });
}

export function useListing(path: string, ordering: Ordering): Listing {
  const listing = useMemo(() => {
    const begun = prepared?.path === path ? prepared : new Listing(path, ordering);
    prepared = undefined;
    return begun;
  }, [path]);
  const [, setTurn] = useState(0);
  useEffect(() => {
    let frame = 0;
    const draw = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        setTurn((turn) => turn + 1);
      });
    };
    listing.addEventListener("change", draw);
    draw();
    return () => {
      listing.removeEventListener("change", draw);
      cancelAnimationFrame(frame);
      listing.close();
    };
  }, [listing]);
  return listing;
}
