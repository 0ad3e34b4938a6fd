/** Text: JSON and Markdown as they are meant, if they are not too long; everything as it is. */

import { useEffect, useState } from "preact/hooks";
import { lazy } from "../app/lazy";
import { Notice } from "../app/notice";
import Plain from "./plain";
import type { FileProps } from "./viewer";

const LONGEST_MEANT = 2_000_000; // bytes that are read whole

interface Meant {
  label: string;
  Shown: (props: { text: string; address: string }) => preact.JSX.Element;
}

const MEANT: Record<string, Meant> = {
  "text/markdown": { label: "Page", Shown: lazy(() => import("./markdown")) },
  "application/json": { label: "Tree", Shown: lazy(() => import("./json")) },
};

export default function Text(props: FileProps) {
  const { entry, address } = props;
  const type = (entry.media_type ?? "").replace(/\/.*\+json$/, "/json");
  const meant = (entry.size ?? 0) <= LONGEST_MEANT ? MEANT[type] : undefined;
  const [plain, setPlain] = useState(false);
  if (!meant) return <Plain {...props} />;
  return (
    <>
      <div class="tabs" role="group" aria-label="Shown as">
        <button type="button" aria-pressed={!plain} onClick={() => setPlain(false)}>
          {meant.label}
        </button>
        <button type="button" aria-pressed={plain} onClick={() => setPlain(true)}>
          Text
        </button>
      </div>
      {plain ? <Plain {...props} /> : <Whole address={address} Shown={meant.Shown} />}
    </>
  );
}

function Whole({ address, Shown }: { address: string; Shown: Meant["Shown"] }) {
  const [text, setText] = useState<string>();
  const [attempt, setAttempt] = useState(0);
  const [lost, setLost] = useState(false);
  useEffect(() => {
    const work = new AbortController();
    setLost(false);
    fetch(address, { signal: work.signal })
      .then((response) => (response.ok ? response.text() : Promise.reject(response.status)))
      .then(setText, () => work.signal.aborted || setLost(true));
    return () => work.abort();
  }, [address, attempt]);
  if (lost) {
    const again = { label: "Try again", act: () => setAttempt(attempt + 1) };
    return <Notice icon="text" title="The file did not arrive" actions={[again]} />;
  }
  if (text === undefined) return <div class="pending" role="status" aria-label="Loading" />;
  return <Shown text={text} address={address} />;
}
