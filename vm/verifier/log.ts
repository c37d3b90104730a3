/**
 * The verifier's log. Messages are always kept; the instruction-by-instruction trace only at levels
 * 1 and 2. As in the kernel, leaving a path below level 2 takes its lines back.
 */

export interface LogPosition {
  readonly text: number;
  readonly messages: number;
}

export class Log {
  readonly level: number;
  #text = "";
  #messages = "";
  #insn: { readonly end: number; readonly length: number } | undefined = undefined;

  constructor(level: number) {
    this.level = level;
  }

  /** A message, at every level. */
  say(text: string): void {
    this.#messages += text;
    this.#text += text;
  }

  /** Part of the trace. */
  trace(text: string): void {
    this.#text += text;
  }

  get isTracing(): boolean {
    return (this.level & 3) !== 0;
  }

  get isDetailed(): boolean {
    return (this.level & 2) !== 0;
  }

  get position(): LogPosition {
    return { text: this.#text.length, messages: this.#messages.length };
  }

  reset(to: LogPosition): void {
    this.#text = this.#text.slice(0, to.text);
    this.#messages = this.#messages.slice(0, to.messages);
  }

  /** Drops the last `count` characters of the trace, e.g. a line break to write behind. */
  unwind(count: number): void {
    this.#text = this.#text.slice(0, this.#text.length - count);
  }

  /** Part of the trace that shows an instruction; its state may follow on the same line. */
  traceInsn(text: string): void {
    this.#insn = { end: this.#text.length + text.length + 1, length: text.length + 1 };
    this.#text += `${text}\n`;
  }

  /** Length of the line of the instruction just traced, its end included, if nothing was written since. */
  get insnLength(): number | undefined {
    return this.#insn?.end === this.#text.length ? this.#insn.length : undefined;
  }

  get text(): string {
    return this.#text;
  }

  get messages(): string[] {
    return this.#messages.split("\n").filter((line) => line.trim() !== "");
  }
}
