/* digest_priv.h - what the modules beside digest.c need of OpenSSL. */
#ifndef LB_DATA_DIGEST_PRIV_H
#define LB_DATA_DIGEST_PRIV_H

/* Empty this thread's queue of errors, which TLS would take for its own. */
void lb_openssl_forget(void);

#endif
