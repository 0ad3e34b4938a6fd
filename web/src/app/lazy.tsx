/** Parts of the page that are loaded when they are first needed. */

import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Notice } from "./notice";

interface Loaded<Props> {
  default: ComponentType<Props>;
}

/** A component whose code comes later; a failure to load is told, and can be tried again, unless it is `quiet`. */
export function lazy<Props extends object>(
  load: () => Promise<Loaded<Props>>,
  { quiet = false } = {},
): (props: Props) => preact.JSX.Element {
  let ready: ComponentType<Props> | undefined;
  return function Lazy(props: Props) {
    const [, setTurn] = useState(0);
    const [failed, setFailed] = useState(false);
    useEffect(() => {
      if (ready || failed) return;
      load().then(
        (module) => {
          ready = module.default;
          setTurn((turn) => turn + 1);
        },
        () => setFailed(true),
      );
    }, [failed]);
    if (ready) {
      const Ready = ready;
      return <Ready {...props} />;
    }
    if (quiet) return <span hidden />;
    return failed ? (
      <Notice
        title="This part of the page did not arrive"
        text="The server may have been updated, or the network is gone."
        actions={[{ label: "Load the page again", act: () => location.reload() }]}
      />
    ) : (
      <div class="pending" role="status" aria-label="Loading" />
    );
  };
}
