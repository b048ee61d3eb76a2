/** The last line of a terminal, which is written again and again; what others write appears above it. */
import type { WriteStream } from "node:tty";

type Write = typeof process.stdout.write;

const clear = "\r\u001b[K";

export class TerminalLine {
  readonly #stream: WriteStream;
  readonly #others: readonly { readonly stream: WriteStream; readonly write: Write }[];
  #shown = "";
  /** Whether the line is on the screen, and whether others have left the cursor at the start of a line. */
  #visible = false;
  #atStart = true;

  constructor(stream: WriteStream) {
    this.#stream = stream;
    // Both go to the same screen.
    this.#others = [...new Set([stream, process.stdout, process.stderr])].map((stream) => ({
      stream,
      write: stream.write,
    }));
    for (const { stream, write } of this.#others)
      stream.write = ((text: string | Uint8Array, ...rest: []) => {
        this.#hide();
        const done = write.call(stream, text, ...rest);
        if (stream.isTTY && text.length > 0) this.#atStart = text.at(-1) === "\n" || text.at(-1) === 10;
        return done;
      }) as Write;
  }

  /** Shows a text of at most so many columns. */
  show(text: string): void {
    if (!this.#atStart || (this.#visible && text === this.#shown)) return;
    this.#write(this.#visible ? clear + text : text);
    this.#shown = text;
    this.#visible = true;
  }

  /** Writes lines above. */
  print(text: string): void {
    this.#hide();
    this.#write(`${this.#atStart ? "" : "\n"}${text}\n`);
    this.#atStart = true;
  }

  close(): void {
    this.#hide();
    for (const { stream, write } of this.#others) stream.write = write;
  }

  #hide(): void {
    if (this.#visible) this.#write(clear);
    this.#visible = false;
  }

  #write(text: string): void {
    this.#others[0]!.write.call(this.#stream, text);
  }
}
