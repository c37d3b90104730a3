/** The virtual directory of the headers that ship with bpfc, as search paths and messages name it. */
export const shippedHeaderDirectory = "<bpfc>/include";
