/** Somebody slow, to see what that does: this page, reading a large file slowly. */

import { useEffect, useState } from "preact/hooks";
import { rate, size } from "../app/format";
import { SlowReader } from "./slow_reader";

const SLOW = 200_000; // bytes a second

export function Trial() {
  const [, setTurn] = useState(0);
  const [words, setWords] = useState("");
  const [reader, setReader] = useState<SlowReader | null>(null);
  useEffect(() => () => reader?.stop(), [reader]);
  const start = () => {
    const begun = new SlowReader(SLOW, () => setTurn((turn) => turn + 1));
    setReader(begun);
    setWords("");
    void begun.run().then((result) => {
      setWords(result);
      setReader(null);
    });
  };
  return (
    <section class="trial" aria-labelledby="trial">
      <h2 id="trial">See backpressure</h2>
      <p>
        Let this page read a large file at {rate(SLOW)}, far slower than the server sends. The
        buffers on the way fill up, then the source stops, and goes on only as fast as the page
        reads. Nobody else notices.
      </p>
      {reader === null ? (
        <button type="button" onClick={start}>
          Read slowly
        </button>
      ) : (
        <p>
          <button type="button" onClick={() => reader.stop()}>
            Stop reading
          </button>
          <span class="soft">
            {reader.path
              ? `${size(reader.read)} of ${reader.path} read`
              : "Looking for a large file"}
          </span>
        </p>
      )}
      {words && (
        <p class="soft" role="status">
          {words}
        </p>
      )}
    </section>
  );
}
