/** Options that clang takes for BPF and that change nothing here. */

const flags = new Set(
  (
    "-fno-stack-protector -fstack-protector -fno-ident -fident " +
    "-fno-builtin -fwrapv -fno-wrapv -fno-jump-tables -fjump-tables " +
    "-fno-asynchronous-unwind-tables -fasynchronous-unwind-tables -fno-unwind-tables -fno-exceptions " +
    "-fno-common -fcommon -fPIC -fpic -fPIE -fno-pic -fno-PIC -fno-pie -fno-PIE -fno-plt " +
    "-fno-omit-frame-pointer -fomit-frame-pointer -fno-delete-null-pointer-checks -fno-inline " +
    "-momit-leaf-frame-pointer -mno-omit-leaf-frame-pointer " +
    "-funroll-loops -fno-unroll-loops -fno-merge-all-constants " +
    "-fno-discard-value-names -fno-addrsig -faddrsig -fno-math-errno -fsigned-char " +
    "-fno-short-enums -fcf-protection=none -fno-lto -fno-sanitize=all " +
    "-fstandalone-debug -fno-standalone-debug -fno-split-dwarf-inlining -fintegrated-as " +
    "-mno-red-zone -mno-sse -mno-mmx -mno-sse2 -mno-avx -mno-80387 -m64 -mkernel -msoft-float " +
    "-fno-caret-diagnostics -fno-diagnostics-show-option -fno-spell-checking -fsyntax-only " +
    "-fno-zero-initialized-in-bss -fdata-sections -ffunction-sections -fgnu89-inline -fasm -fblocks " +
    "-pthread -static -pedantic-errors -trigraphs -C -dD -H -save-temps -Qunused-arguments"
  ).split(" "),
);

/** The same with a value in the word. */
const joined =
  /^-(?:fno-builtin-|fvisibility=|fmacro-backtrace-limit=|ftemplate-depth=|save-temps=|-sysroot=|resource-dir=|R(?:pass|no-pass)|Wl,|Wa,)/;

/** The same with the value in the next word. */
const separate = new Set(["-isysroot", "-resource-dir", "-iwithprefix", "-Xlinker", "-Xassembler"]);

/** What only a linker or a CPU of the host would use. */
const unused = /^-(?:l.+|L.+|shared|time|mtune=.*|fmax-errors=.*)$/;

/** What clang refuses for this target in these words. */
const unsupported = /^-(?:march=|fsanitize=[\w,-]+)/;

/** How many words an option without effect takes; 0 where it is none. */
export function acceptedWords(word: string): number {
  if (separate.has(word)) return 2;
  return flags.has(word) || joined.test(word) || unused.test(word) ? 1 : 0;
}

/** Why an option that has no row is refused. */
export function refusal(word: string): string {
  const option = unsupported.exec(word)?.[0];
  return option === undefined
    ? `unknown argument: '${word}'`
    : `unsupported option '${option}' for target 'bpf'`;
}
