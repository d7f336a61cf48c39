/* The cold scan in C: what peer.py's scan() asks, call by call. It answers each line of its input with the milliseconds
 * of one scan and the number of VMs. Declared by hand, so that neither library's headers are needed.
 * https://libvirt.org/html/libvirt-libvirt-domain.html */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
  unsigned char state;
  unsigned long maxMem;
  unsigned long memory;
  unsigned short nrVirtCpu;
  unsigned long long cpuTime;
} virDomainInfo;

void *virConnectOpen(const char *uri);
int virConnectListAllDomains(void *connection, void ***domains, unsigned int flags);
int virDomainGetInfo(void *domain, virDomainInfo *info);
const char *virDomainGetName(void *domain);
char *virDomainGetXMLDesc(void *domain, unsigned int flags);
int virDomainFree(void *domain);
void *xmlReadMemory(const char *text, int length, const char *url, const char *encoding, int options);
void xmlFreeDoc(void *document);

/* Returns the number of VMs that were read, -1 when there is no list. */
static int scan(void *connection) {
  void **domains;
  int count = virConnectListAllDomains(connection, &domains, 0);
  int read = 0;
  for (int index = 0; index < count; index++) {
    virDomainInfo info;
    char *xml = virDomainGetXMLDesc(domains[index], 0);
    void *document = xml ? xmlReadMemory(xml, strlen(xml), NULL, NULL, 0) : NULL;
    if (virDomainGetInfo(domains[index], &info) == 0 && virDomainGetName(domains[index]) && document) read++;
    if (document) xmlFreeDoc(document);
    free(xml);
    virDomainFree(domains[index]);
  }
  if (count >= 0) free(domains);
  return count < 0 ? -1 : read;
}

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

int main(int argc, char **argv) {
  void *connection = argc == 2 ? virConnectOpen(argv[1]) : NULL;
  char line[16];
  if (!connection) return 1;
  while (fgets(line, sizeof line, stdin)) {
    double began = now_ms();
    int result = scan(connection);
    printf("{\"ms\":%.3f,\"result\":%d}\n", now_ms() - began, result);
    fflush(stdout);
  }
  return 0;
}
