/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords at rest and random secrets. Argon2id with 19 MiB, two passes and one lane; PBKDF2 with
 * HMAC-SM3 and 310,000 rounds. Random numbers come from the kernel; without them nothing here can
 * be done safely, so their failure ends the program. */
#include "trust/password.h"

#include "base/hex.h"
#include "base/must.h"

#include <argon2.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/random.h>

enum {
    ARGON2_MEMORY_KIB = 19456,
    ARGON2_PASSES = 2,
    ARGON2_LANES = 1,
    SALT_BYTES = 16,
    HASH_BYTES = 32,
    PBKDF2_ROUNDS = 310000,
    PBKDF2_ROUNDS_MAX = 10000000,
};

static const char pbkdf2_head[] = "$pbkdf2-sm3$i=";

static void random_bytes(void *p, size_t n)
{
    size_t done = 0;
    while (done < n) {
        ssize_t got = getrandom((uint8_t *)p + done, n - done, 0);
        must(got > 0);
        done += (size_t)got;
    }
}

static bool pbkdf2_sm3(struct span password, const uint8_t *salt, int rounds, uint8_t *to)
{
    return PKCS5_PBKDF2_HMAC((const char *)password.p, (int)password.n, salt, SALT_BYTES, rounds,
                             EVP_sm3(), HASH_BYTES, to) == 1;
}

bool password_hash(enum password_kind kind, struct span password, char text[PASSWORD_HASH_TEXT],
                   struct err *e)
{
    size_t characters = utf8_length(password);
    if (characters < PASSWORD_MIN || characters > PASSWORD_MAX || password.n > PASSWORD_BYTES_MAX)
        return err_set(e, ERR_INVALID, "the password must have %d to %d characters", PASSWORD_MIN,
                       PASSWORD_MAX);
    uint8_t salt[SALT_BYTES];
    random_bytes(salt, sizeof(salt));
    if (kind == PASSWORD_ARGON2ID) {
        int rc = argon2id_hash_encoded(ARGON2_PASSES, ARGON2_MEMORY_KIB, ARGON2_LANES, password.p,
                                       password.n, salt, sizeof(salt), HASH_BYTES, text,
                                       PASSWORD_HASH_TEXT);
        if (rc != ARGON2_OK)
            return err_set(e, ERR_INTERNAL, "argon2: %s", argon2_error_message(rc));
        return true;
    }
    uint8_t hash[HASH_BYTES];
    if (!pbkdf2_sm3(password, salt, PBKDF2_ROUNDS, hash))
        return err_set(e, ERR_INTERNAL, "PBKDF2 with SM3 is not in this OpenSSL");
    char salt_hex[2 * SALT_BYTES + 1], hash_hex[2 * HASH_BYTES + 1];
    hex_text(span_of(salt, sizeof(salt)), salt_hex);
    hex_text(span_of(hash, sizeof(hash)), hash_hex);
    snprintf(text, PASSWORD_HASH_TEXT, "%s%d$%s$%s", pbkdf2_head, PBKDF2_ROUNDS, salt_hex,
             hash_hex);
    return true;
}

static bool unhex(struct span s, uint8_t *to, size_t n)
{
    if (s.n != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int high = ascii_hex(s.p[2 * i]);
        int low = ascii_hex(s.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        to[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool pbkdf2_matches(struct span password, struct span rest)
{
    uint64_t rounds;
    uint8_t salt[SALT_BYTES], want[HASH_BYTES], got[HASH_BYTES];
    struct span rounds_text = span_split(&rest, '$');
    struct span salt_text = span_split(&rest, '$');
    if (!span_u64(rounds_text, &rounds) || rounds == 0 || rounds > PBKDF2_ROUNDS_MAX)
        return false;
    if (!unhex(salt_text, salt, sizeof(salt)) || !unhex(rest, want, sizeof(want)))
        return false;
    return pbkdf2_sm3(password, salt, (int)rounds, got) &&
           CRYPTO_memcmp(want, got, sizeof(want)) == 0;
}

bool password_matches(struct span password, const char *text)
{
    struct span stored = span_str(text);
    if (password.n > PASSWORD_BYTES_MAX)
        return false;
    if (span_starts(stored, SPAN("$argon2id$")))
        return argon2id_verify(text, password.p, password.n) == ARGON2_OK;
    if (span_starts(stored, span_str(pbkdf2_head)))
        return pbkdf2_matches(password, span_from(stored, strlen(pbkdf2_head)));
    return false;
}

void password_waste_time(struct span password)
{
    uint8_t salt[SALT_BYTES] = {0}, hash[HASH_BYTES];
    if (argon2id_hash_raw(ARGON2_PASSES, ARGON2_MEMORY_KIB, ARGON2_LANES, password.p,
                          min_size(password.n, PASSWORD_BYTES_MAX), salt, sizeof(salt), hash,
                          sizeof(hash)) != ARGON2_OK)
        return;
}

void password_random(char text[PASSWORD_RANDOM_TEXT])
{
    static const char alphabet[] = "abcdefghjkmnpqrstuvwxyz23456789A"; /* 32: five bits each */
    uint8_t raw[20];
    size_t n = 0;
    random_bytes(raw, sizeof(raw));
    for (size_t i = 0; i < sizeof(raw); i++) {
        if (i > 0 && i % 5 == 0)
            text[n++] = '-';
        text[n++] = alphabet[raw[i] & 31];
    }
    text[n] = '\0';
    must(n < PASSWORD_RANDOM_TEXT);
}

void secret_random(size_t bytes, char text[SECRET_TEXT])
{
    uint8_t raw[32];
    must(bytes <= sizeof(raw));
    random_bytes(raw, bytes);
    hex_text(span_of(raw, bytes), text);
}

void secret_digest(struct span secret, char text[SECRET_TEXT])
{
    uint8_t raw[32];
    unsigned n = 0;
    must(EVP_Digest(secret.p, secret.n, raw, &n, EVP_sha256(), NULL) == 1 && n == sizeof(raw));
    hex_text(span_of(raw, sizeof(raw)), text);
}

bool secret_equal(const char *a, const char *b)
{
    size_t n = strlen(a);
    return n == strlen(b) && CRYPTO_memcmp(a, b, n) == 0;
}
