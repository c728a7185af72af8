/** Command or setting that makes a server accept connections of other hosts, by kind and system. */
export function rebindingAdvice(server: string | null, platform: NodeJS.Platform): string {
  if (server === "ollama") return ollamaAdvice(platform);
  return (server !== null && advice[server]) || "let it listen on 0.0.0.0";
}

const advice: Readonly<Record<string, string>> = {
  "llama.cpp": "start it with: llama-server --host 0.0.0.0",
  vllm: "start it with: vllm serve --host 0.0.0.0",
  sglang: "start it with: --host 0.0.0.0",
  lmstudio: 'switch on "Serve on Local Network" in its server settings',
  koboldcpp: "start it without --host, or with --host 0.0.0.0",
  localai: "start it with: --address 0.0.0.0:8080",
  jan: 'set "Server Host" to 0.0.0.0 in its local API server',
};

function ollamaAdvice(platform: NodeJS.Platform): string {
  if (platform === "darwin") return "run: launchctl setenv OLLAMA_HOST 0.0.0.0; then start Ollama anew";
  if (platform === "linux") {
    return 'run: systemctl edit ollama; enter the lines [Service] and Environment="OLLAMA_HOST=0.0.0.0"; then: systemctl restart ollama (without systemd: OLLAMA_HOST=0.0.0.0 ollama serve)';
  }
  return "start it with OLLAMA_HOST=0.0.0.0 in its environment";
}
