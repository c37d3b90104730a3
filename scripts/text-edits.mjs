/** Plain data: what stands from `start` to `end` becomes `text`; of edits at one place the later stands first. */
export function withEdits(text, edits) {
  let result = text;
  for (const { start, end, text: by } of edits.toSorted(
    (a, b) => b.start - a.start || b.end - a.end,
  ))
    result = result.slice(0, start) + by + result.slice(end);
  return result;
}
