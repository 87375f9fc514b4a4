import type { X509Certificate } from "node:crypto";
import { connect } from "node:tls";

/** The certificate that a listener shows to whoever dials it with TLS; routes begin with the handshake. */
export const shownCertificate = (host: string, port: number): Promise<X509Certificate | undefined> =>
  new Promise((resolve, reject) => {
    // It asks for a certificate only after it has shown its own.
    const socket = connect({ host, port, rejectUnauthorized: false, timeout: 5_000 }, () => {
      resolve(socket.getPeerX509Certificate());
      socket.destroy();
    });
    socket.once("error", reject);
    socket.once("timeout", () => socket.destroy(new Error(`${host}:${port} begins no TLS`)));
  });
