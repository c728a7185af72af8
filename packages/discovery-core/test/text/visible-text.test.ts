import { describe, expect, test } from "vitest";
import { visibleLines, visibleText } from "../../src/index.ts";

const bad = "\u{fffd}";

describe("text that is shown", () => {
  test.each([
    ["controls", "a\u0000b\u001b[2Jc\u007fd\u009be", `a${bad}b${bad}[2Jc${bad}d${bad}e`],
    ["ends of lines", "a\r\nb\u2028c\u2029d\u0085e", `a${bad}${bad}b${bad}c${bad}d${bad}e`],
    ["bidi controls", "\u202etxt\u2066.exe\u061c\u200f", `${bad}txt${bad}.exe${bad}${bad}`],
    ["zero-width characters", "gpu\u200b1\u2060\ufeff\u00ad\u180e", `gpu${bad}1${bad}${bad}${bad}${bad}`],
    ["joiners where nothing joins", "gp\u200du\u200c", `gp${bad}u${bad}`],
    ["tags", "box\u{e0041}\u{e007f}", `box${bad}${bad}`],
    ["fillers", "a\u3164b\u115f\uffa0\u2800", `a${bad}b${bad}${bad}${bad}`],
    ["variation selectors that vary nothing", "gpu1\ufe0f\u{e0100}", `gpu1${bad}${bad}`],
    ["halves of characters", "a\ud800b\udc00", `a${bad}b${bad}`],
    ["stacked marks", `e${"\u0301".repeat(6)}x`, `e${"\u0301".repeat(4)}${bad}${bad}x`],
    ["a mark on nothing", "\u0301a", `${bad}a`],
  ])("shows %s", (_, text, shown) => {
    expect(visibleText(text)).toBe(shown);
  });

  test.each([
    ["Latin with accents, composed and not", "café cafe\u0301 Việt Vie\u0323\u0302t"],
    ["Chinese, Japanese and Korean", "通义千问　模型 ラーメン 한국어 한"],
    ["Arabic and Persian", "نموذج \u0645\u064f\u062d\u064e\u0645\u0651\u064e\u062f می\u200cخواهم"],
    ["Hebrew with points", "\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd"],
    ["Hindi and Thai", "क्\u200dष हिन्दी น้ำ"],
    ["emoji", "👩\u200d💻 👩🏽\u200d🔬 🏳\ufe0f\u200d🌈 ❤\ufe0f 👨\u200d⚕\ufe0f 1\ufe0f\u20e3 🇨🇭"],
    ["what is ASCII", "gpu-box 01 ~ http://[::1]:8000/v1?x=%20"],
  ])("leaves %s", (_, text) => {
    expect(visibleText(text)).toBe(text);
  });

  test("keeps the lines of a text of several", () => {
    expect(visibleLines("a\u001b\nb\r\n")).toBe(`a${bad}\nb${bad}\n`);
  });

  test("stands for each character by what is asked for", () => {
    expect(visibleText("a\u200bb", (character) => `<${character.length}>`)).toBe("a<1>b");
  });
});
