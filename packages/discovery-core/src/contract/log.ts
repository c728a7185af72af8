export type LogLevel = "debug" | "info" | "warn";

/** Log of a transport; silent unless the caller gives one. */
export type Log = (level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>) => void;

export const silentLog: Log = () => {};
