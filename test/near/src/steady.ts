/** Figure after a thousand turns of the loop without a change. */
export async function steady(figure: () => number): Promise<number> {
  for (let before = -1; ; before = figure()) {
    if (before === figure()) return before;
    for (let turn = 0; turn < 1_000; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}
