import OpenAI from "openai";

// Asks at a base URL with a key for one streamed answer, and prints it.

const [baseURL, apiKey] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const messages = [{ role: "user", content: "hi" }];
const stream = await client.chat.completions.create({ model: "llama3", stream: true, messages });
for await (const { choices } of stream) process.stdout.write(choices[0]?.delta.content ?? "");
