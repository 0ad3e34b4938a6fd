/**
 * What the keys do to a recording, wherever the keyboard is in the viewer.
 *
 * A control of the browser's own, when it has the keyboard, keeps the keys that it knows: the space
 * bar presses a button, the arrows move a slider.
 */

const SHORT = 5; // seconds
const LONG = 10;
const LOUDER = 0.1; // of 1
const RATES = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];
const OF_CONTROLS = new Set([" ", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]);

export type Recording = Pick<
  HTMLMediaElement,
  "currentTime" | "duration" | "muted" | "paused" | "pause" | "play" | "playbackRate" | "volume"
>;

/** As `aria-keyshortcuts` has them. */
export const SHORTCUTS = "Space K ArrowLeft ArrowRight J L ArrowUp ArrowDown M F < >";

/** Whether `target` wants this key for itself. */
export function isTheirs(key: string, target: Element): boolean {
  if (target.closest("input, textarea, select")) return true;
  return OF_CONTROLS.has(key) && target.closest("button, a, summary, video, audio") !== null;
}

/** Do what `key` says; gives what a person should be told, "" for nothing, null if it says nothing. */
export function obey(key: string, recording: Recording): string | null {
  switch (key.length === 1 ? key.toLowerCase() : key) {
    case " ":
    case "k":
      if (recording.paused) void recording.play().catch(() => undefined);
      else recording.pause();
      return "";
    case "ArrowLeft":
      return seek(recording, -SHORT);
    case "ArrowRight":
      return seek(recording, SHORT);
    case "j":
      return seek(recording, -LONG);
    case "l":
      return seek(recording, LONG);
    case "ArrowUp":
      return louder(recording, LOUDER);
    case "ArrowDown":
      return louder(recording, -LOUDER);
    case "m":
      recording.muted = !recording.muted;
      return recording.muted ? "Muted" : "Sound on";
    case "<":
      return faster(recording, -1);
    case ">":
      return faster(recording, 1);
    default:
      return null;
  }
}

function seek(recording: Recording, seconds: number): string {
  const { currentTime, duration } = recording;
  const end = Number.isFinite(duration) ? duration : Number.POSITIVE_INFINITY;
  recording.currentTime = Math.min(Math.max(0, currentTime + seconds), end);
  return "";
}

function louder(recording: Recording, by: number): string {
  recording.muted = false;
  recording.volume = Math.min(1, Math.max(0, Math.round((recording.volume + by) * 10) / 10));
  return `Volume ${Math.round(recording.volume * 100)} %`;
}

function faster(recording: Recording, step: 1 | -1): string {
  const now = recording.playbackRate;
  const next = step > 0 ? RATES.find((rate) => rate > now) : RATES.findLast((rate) => rate < now);
  recording.playbackRate = next ?? now;
  return `Speed ${recording.playbackRate} ×`;
}
