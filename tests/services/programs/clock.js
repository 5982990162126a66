// A service in Node that tells its time, and whether its timers go on.
const served = new WeakMap();
require("node:http").createServer((request, response) => {
  const begun = performance.now();
  served.set(request.socket, (served.get(request.socket) || 0) + 1);
  setTimeout(() => {
    const timer = performance.now() - begun >= 15;
    response.setHeader("content-type", "application/json");
    response.setHeader("x-on-this-connection", served.get(request.socket));
    response.end(JSON.stringify({ now: new Date().toISOString(), timer }));
  }, 20);
}).listen(Number(process.argv[2]), "127.0.0.1", () => console.log("listening"));
