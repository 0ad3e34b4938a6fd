import { describe, expect, test } from "vitest";
import { obey, type Recording } from "./media_keys";

function recording(): Recording & { played: number } {
  return {
    played: 0,
    currentTime: 30,
    duration: 100,
    muted: false,
    paused: true,
    playbackRate: 1,
    volume: 0.5,
    pause() {
      (this as { paused: boolean }).paused = true;
    },
    async play() {
      this.played += 1;
      (this as { paused: boolean }).paused = false;
    },
  };
}

describe("the keys of a recording", () => {
  test.each([
    ["ArrowRight", 35],
    ["ArrowLeft", 25],
    ["l", 40],
    ["J", 20],
  ])("%s seeks to %d", (key, to) => {
    const film = recording();
    expect(obey(key, film)).toBe("");
    expect(film.currentTime).toBe(to);
  });

  test("seeking stays within it", () => {
    const film = recording();
    for (let times = 0; times < 30; times += 1) obey("ArrowRight", film);
    expect(film.currentTime).toBe(100);
    for (let times = 0; times < 30; times += 1) obey("j", film);
    expect(film.currentTime).toBe(0);
    // How long a broadcast is, nobody knows yet.
    const live = { ...recording(), duration: Number.NaN };
    obey("l", live);
    expect(live.currentTime).toBe(40);
  });

  test.each([" ", "k", "K"])("%j plays and pauses", (key) => {
    const film = recording();
    obey(key, film);
    expect(film.paused).toBe(false);
    obey(key, film);
    expect(film.paused).toBe(true);
  });

  test("the speed goes in steps, and no farther than the last", () => {
    const film = recording();
    expect(obey(">", film)).toBe("Speed 1.25 ×");
    for (let times = 0; times < 9; times += 1) obey(">", film);
    expect(film.playbackRate).toBe(2);
    for (let times = 0; times < 19; times += 1) obey("<", film);
    expect(film.playbackRate).toBe(0.25);
  });

  test("what is turned up is heard again", () => {
    const film = recording();
    expect(obey("m", film)).toBe("Muted");
    expect(obey("ArrowUp", film)).toBe("Volume 60 %");
    expect(film.muted).toBe(false);
    for (let times = 0; times < 9; times += 1) obey("ArrowDown", film);
    expect(film.volume).toBe(0);
  });

  test("other keys are not its", () => {
    for (const key of ["Escape", "Tab", "q", "Enter", "1"])
      expect(obey(key, recording())).toBe(null);
  });
});
