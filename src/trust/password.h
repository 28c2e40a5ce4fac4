/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords at rest: Argon2id (RFC 9106) by default, PBKDF2 with SM3 (GB/T 32918 family) where
 * national algorithms are asked for. The stored text names its algorithm and cost, so that both
 * kinds and later costs live side by side. Comparison takes the same time whether right or wrong.
 */
#pragma once

#include "base/err.h"
#include "base/span.h"

enum password_kind { PASSWORD_ARGON2ID, PASSWORD_PBKDF2_SM3 };

enum { PASSWORD_HASH_TEXT = 160, PASSWORD_MIN = 8, PASSWORD_MAX = 256, SECRET_TEXT = 65 };
enum { PASSWORD_BYTES_MAX = 4 * PASSWORD_MAX };

/* Writes the text to store. Fails with ERR_INVALID on a length outside PASSWORD_MIN..PASSWORD_MAX
 * characters bytes, with ERR_INTERNAL if the library refuses. */
bool password_hash(enum password_kind kind, struct span password, char text[PASSWORD_HASH_TEXT],
                   struct err *e) MUST_CHECK;
/* Does the password belong to the stored text? A text of unknown form never matches. */
bool password_matches(struct span password, const char *text);
/* Spends the time that password_matches takes: for logins of users that do not exist. */
void password_waste_time(struct span password);

/* A password to print once: four groups of five characters, 100 bits, without look-alikes. */
enum { PASSWORD_RANDOM_TEXT = 24 };
void password_random(char text[PASSWORD_RANDOM_TEXT]);
/* `bytes` (at most 32) from the system's generator as lower-case hex with terminator. */
void secret_random(size_t bytes, char text[SECRET_TEXT]);
/* Lower-case hex of SHA-256: what is stored of a bearer secret (which has full entropy itself). */
void secret_digest(struct span secret, char text[SECRET_TEXT]);
/* Equal content, compared in constant time for equal lengths. */
bool secret_equal(const char *a, const char *b);
