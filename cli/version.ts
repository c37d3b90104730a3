declare const BPFC_VERSION: string | undefined;

/** The package's version, put in by the build; the source tree has none. */
export const version = typeof BPFC_VERSION === "string" ? BPFC_VERSION : "source";
