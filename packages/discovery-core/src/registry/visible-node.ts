import type { SeenNode } from "../contract/node.ts";
import { visibleText } from "../text/visible-text.ts";

/** Node with texts fit to be shown; `attributes` stay unchanged. */
export function visibleNode(node: SeenNode): SeenNode {
  const { info, hostname, path, server, apis, models } = node;
  const shown = (text: string): string => visibleText(text);
  return {
    ...node,
    info: visibleText(info),
    hostname: hostname && visibleText(hostname),
    path: path && visibleText(path, encoded),
    server: server && visibleText(server),
    apis: apis.map(shown),
    models: models.map(shown),
  };
}

/** In a path the encoded character leads to the same place. */
function encoded(character: string): string {
  return encodeURIComponent(/\p{Cs}/u.test(character) ? "\u{fffd}" : character);
}
