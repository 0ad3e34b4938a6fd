/** A listing, and the component drawn anew with it: once a frame at the most. */

import { useEffect, useMemo, useState } from "preact/hooks";
import type { Ordering } from "./entries";
import { Listing } from "./listing";

export function useListing(path: string, ordering: Ordering): Listing {
  const listing = useMemo(() => new Listing(path, ordering), [path]);
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
