/** bpf_throw: leaves all functions of the program at once; the cookie becomes its result. */
export class ProgramException extends Error {
  readonly cookie: bigint;

  constructor(cookie: bigint) {
    super("bpf_throw");
    this.cookie = cookie;
  }
}
