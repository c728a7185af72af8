/** Programs that a list of nodes is written for. */
export const exportFormats = ["prometheus", "litellm", "olla", "caddy", "json"] as const;
export type ExportFormat = (typeof exportFormats)[number];
