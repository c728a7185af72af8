/** Programs that the list of nodes can be exported to. */
export const exportFormats = ["prometheus", "litellm", "olla", "caddy", "json"] as const;
export type ExportFormat = (typeof exportFormats)[number];
