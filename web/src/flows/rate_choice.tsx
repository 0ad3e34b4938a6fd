/** How fast something may go at most, to be chosen. */

import { rate as inWords } from "../app/format";

const RATES = [50_000, 200_000, 1_000_000, 5_000_000, 20_000_000];

interface Properties {
  label: string;
  /** What no limit is called. */
  none?: string;
  rate: number | null;
  onChoose: (rate: number | null) => void;
}

export function RateChoice({ label, none = "No limit", rate, onChoose }: Properties) {
  const known = rate === null || RATES.includes(rate);
  const rates = known ? RATES : [...RATES, rate].sort((one, other) => one - other);
  return (
    <select
      aria-label={label}
      value={String(rate ?? "")}
      onChange={({ currentTarget: { value } }) => onChoose(value === "" ? null : Number(value))}
    >
      <option value="">{none}</option>
      {rates.map((each) => (
        <option key={each} value={String(each)}>
          At most {inWords(each)}
        </option>
      ))}
    </select>
  );
}
