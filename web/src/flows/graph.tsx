/** The rate over the last minute, drawn small: the newest at the right edge. */

import { rate } from "../app/format";

const MINUTE = 60;
const WIDTH = 120;
const HEIGHT = 32;

export function Graph({ rates, name }: { rates: number[]; name: string }) {
  const top = Math.max(1, ...rates);
  const step = WIDTH / (MINUTE - 1);
  const points = rates.map((value, at) => {
    const x = WIDTH - (rates.length - 1 - at) * step;
    return `${x.toFixed(1)},${(HEIGHT - 1 - (value / top) * (HEIGHT - 3)).toFixed(1)}`;
  });
  const first = (WIDTH - (rates.length - 1) * step).toFixed(1);
  const words =
    rates.length < 2
      ? `${name}: not known yet`
      : `${name} over the last minute, at most ${rate(top)}`;
  return (
    <svg class="graph" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={words}>
      <line class="graph-ground" x1="0" x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
      {points.length > 1 && (
        <>
          <path
            class="graph-area"
            d={`M${first},${HEIGHT} L${points.join(" L")} L${WIDTH},${HEIGHT} Z`}
          />
          <polyline class="graph-line" points={points.join(" ")} />
        </>
      )}
    </svg>
  );
}
