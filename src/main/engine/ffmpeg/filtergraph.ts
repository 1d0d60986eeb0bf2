/**
 * One filter with its options as a filtergraph says it. A value is escaped for both of its readers: the option list (`\ ' :`), then the graph
 * (`\ ' [ ] , ;`), ffmpeg-filters(1) "Notes on filtergraph escaping".
 */
export function filter(name: string, options: Readonly<Record<string, string | number>>): string {
  const said = Object.entries(options).map(([key, value]) => `${key}=${escapeFilterValue(String(value))}`);
  return said.length === 0 ? name : `${name}=${said.join(':')}`;
}

function escapeFilterValue(value: string): string {
  // blanks are escaped as well: at the ends both readers would trim them
  const option = value.replace(/[\\':\s]/g, '\\$&');
  return option.replace(/[\\'[\],;\s]/g, '\\$&');
}
