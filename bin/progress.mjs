// Plain JavaScript: runs on the host's Node before dependencies are there.

const QUICK_MS = 700;
const TICK_MS = 15_000;
const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

const seconds = (from) => `${((Date.now() - from) / 1000).toFixed(1)} s`;

/** One line for the person at the console. */
export function say(line) {
  process.stdout.write(`${line}\n`);
}

/** The one sentence of a start that failed. */
export function complain(line) {
  process.stderr.write(`${line}\n`);
}

/**
 * Shows that `work` is going on: a moving line on a terminal, plain lines every 15 s otherwise, nothing if it
 * takes less than 0.7 s. `work` gets a function that sets a detail ("212 packages"). Returns what `work` returns.
 */
export async function step(title, work) {
  const from = Date.now();
  const live = process.stdout.isTTY === true && process.env.CI !== "true";
  let detail = "";
  let frame = 0;
  let shown = false;
  const text = () => `${title}${detail ? `: ${detail}` : ""}`;
  const draw = () => {
    shown = true;
    if (live) {
      const line = `${FRAMES[frame++ % FRAMES.length]} ${text()} (${seconds(from)})`;
      process.stdout.write(`\r\x1b[2K${line.slice(0, (process.stdout.columns || 80) - 1)}`);
    } else say(frame++ === 0 ? `${text()} …` : `  still at it: ${text()} (${seconds(from)})`);
  };
  let timer = setTimeout(() => {
    draw();
    timer = setInterval(draw, live ? 120 : TICK_MS);
  }, QUICK_MS);
  const end = (mark) => {
    clearTimeout(timer);
    clearInterval(timer);
    if (live && shown) process.stdout.write("\r\x1b[2K");
    if (shown) say(`${mark} ${text()} (${seconds(from)})`);
  };
  try {
    const result = await work((value) => {
      detail = value;
    });
    end("✓");
    return result;
  } catch (error) {
    end("✗");
    throw error;
  }
}
