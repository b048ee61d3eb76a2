import { SingleBar } from "cli-progress";

export interface Standing {
  readonly epoch: number;
  readonly loss: number;
  readonly samplesPerSecond: number;
  readonly secondsLeft: number;
}

export interface Progress {
  step(steps: number, standing: Standing): void;
  epoch(standing: Standing, accuracy: number): void;
  stop(): void;
}

function time(exact: number): string {
  const seconds = Math.round(exact);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** A bar on a terminal; elsewhere, in a log or a pipe, one line per epoch. */
export function makeProgress(totalSteps: number, epochs: number): Progress {
  if (!process.stdout.isTTY) return lines(epochs);
  const bar = new SingleBar({
    format:
      "{bar} {percentage}% | epoch {epoch}/{epochs} | loss {loss} | held-out {accuracy} | {speed} samples/s | {left} left",
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 24,
    hideCursor: true,
    stream: process.stdout,
  });
  bar.start(totalSteps, 0, { epoch: 1, epochs, loss: "-", accuracy: "-", speed: "-", left: "-" });
  return {
    step: (steps, { epoch, loss, samplesPerSecond, secondsLeft }) =>
      bar.update(steps, {
        epoch,
        loss: loss.toFixed(4),
        speed: Math.round(samplesPerSecond),
        left: time(secondsLeft),
      }),
    epoch: (_, accuracy) => bar.update({ accuracy: `${(100 * accuracy).toFixed(2)} %` }),
    stop: () => bar.stop(),
  };
}

function lines(epochs: number): Progress {
  return {
    step: () => undefined,
    epoch: ({ epoch, loss, samplesPerSecond, secondsLeft }, accuracy) =>
      console.log(
        `epoch ${epoch}/${epochs}  loss ${loss.toFixed(4)}  held-out ${(100 * accuracy).toFixed(2)} %  ` +
          `${Math.round(samplesPerSecond)} samples/s  ${time(secondsLeft)} left`,
      ),
    stop: () => undefined,
  };
}
