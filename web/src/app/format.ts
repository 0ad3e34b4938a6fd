/** Sizes, times and rates in a person's words. */

const UNITS = ["kB", "MB", "GB", "TB", "PB", "EB"];

/** Bytes, to two or three digits: 1.2 MB, which no line breaks apart. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes}\u00a0B`;
  let shown = bytes / 1000;
  let step = 0;
  while (shown >= 999.5 && step < UNITS.length - 1) {
    shown /= 1000;
    step += 1;
  }
  return `${shown.toFixed(shown < 9.95 ? 1 : 0)}\u00a0${UNITS[step]}`;
}

/** Bytes a second: 1.2 MB/s. */
export function rate(bytesPerSecond: number): string {
  return `${size(Math.round(bytesPerSecond))}/s`;
}

/** Seconds, in one or two units: 40 s, 3 min 20 s, 2 h 5 min. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 ? `${minutes} min ${whole % 60} s` : `${minutes} min`;
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`;
}

/** A position in a recording: 1:05, 1:02:03. */
export function position(seconds: number): string {
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((part, index) => (index ? String(part).padStart(2, "0") : part)).join(":");
}

const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const hour = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });

/** A day, or the time of today. */
export function date(rfc3339: string, now = new Date()): string {
  const time = new Date(rfc3339);
  return time.toDateString() === now.toDateString() ? hour.format(time) : day.format(time);
}

export function fullDate(rfc3339: string): string {
  return moment.format(new Date(rfc3339));
}

const number = new Intl.NumberFormat();

/** A count with its noun: 1 file, 12,000 files. */
export function count(many: number, noun: string): string {
  return `${number.format(many)} ${noun}${many === 1 ? "" : "s"}`;
}

/** A segment of a path as text; one that is no valid encoding stays as it is. */
export function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
