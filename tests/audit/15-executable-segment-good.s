; the repaired twin of 15-executable-segment-bad.s
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jge #0x40000000, foreign
jeq #__NR_mprotect, prot
jeq #__NR_pkey_mprotect, prot
jeq #__NR_mmap, prot
jeq #__NR_shmat, shm
ret allow
prot: ld lo32(arg2)
and #6
jeq #6, deny
ret allow
shm: ld lo32(arg2)
jset #0x8000, deny
ret allow
deny: ret errno(EPERM)
foreign: ret kill_process
