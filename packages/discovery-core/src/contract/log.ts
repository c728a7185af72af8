export type LogLevel = "debug" | "info" | "warn";

/** Where a transport says what it does; silent unless the caller gives one. */
export type Log = (level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>) => void;

export const silentLog: Log = () => {};
