//! The provisioning server while one organization does its worst: what another one waits, how much memory that takes, and
//! how soon the attacker is shut out.

#![allow(clippy::print_stdout, reason = "a benchmark reports to the terminal")]

mod legitimate;
mod options;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use options::{Options, USAGE};
use scim_tests::Failure;
use scim_tests::abuse::{ATTACKS, Attack, Bystander, FLOOD, Waits, attacker, prepare};
use scim_tests::export_file::id;
use scim_tests::process::{anonymous, peak};
use scim_tests::server::{Organization, Server};

fn main() -> Result<(), Failure> {
    let options = Options::read()?;
    let Some(binary) = &options.server else {
        println!("abuse: not run. {USAGE}");
        return Ok(());
    };
    let mut server = Server::start_binary(binary)?;
    if let Some(members) = options.legitimate {
        return legitimate::all(&server, members);
    }
    let attacker = attacker(&server, options.people)?;
    let bystander = Bystander::new(&server)?;
    println!("{} people.", options.people);
    let prepared = prepare(&attacker, options.people)?;
    println!("The attacker got {prepared}.\n");
    let alone = bystander.measure(options.duration)?;
    let scene = Scene {
        server: &server,
        options: &options,
        attacker: &attacker,
        bystander: &bystander,
        alone: &alone,
    };
    println!("{HEAD}");
    print_waits("without an attack", &alone, &alone);
    for attack in ATTACKS
        .iter()
        .filter(|attack| attack.name.contains(&options.only))
    {
        scene.attack(attack.name, &[attack], false)?;
    }
    if ALL.contains(&options.only) {
        let all: Vec<_> = ATTACKS.iter().filter(|attack| attack.name != FLOOD).collect();
        scene.attack(ALL, &all, true)?;
    }
    let seconds = server.terminate()?.as_secs_f64();
    println!("The server ended {seconds:.1} s after SIGTERM (at most 20 s).");
    Ok(())
}

/// All attacks but [`FLOOD`] together.
const ALL: &str = "all at once";

const HEAD: &str = "                                                 | requests | median |    99 % | longest | median  | answers that are   |\n\
                    what the bystander waits, in milliseconds        |          |        |         |         | is more | not a success      |";

fn print_waits(name: &str, waits: &[Waits], alone: &[Waits]) {
    println!("{name}");
    for (waits, alone) in waits.iter().zip(alone) {
        let mut refused: Vec<_> = waits
            .refused
            .iter()
            .map(|(status, count)| format!("{status}: {count}"))
            .collect();
        if waits.unanswered > 0 {
            refused.push(format!("none: {}", waits.unanswered));
        }
        println!(
            "    {:44} | {:>8} | {:>6.1} | {:>7.1} | {:>7.1} | {:>5.1} x | {}",
            waits.name,
            waits.count(),
            waits.percentile(50),
            waits.percentile(99),
            waits.percentile(100),
            waits.percentile(50) / alone.percentile(50),
            refused.join(", ")
        );
    }
}

struct Scene<'a> {
    server: &'a Server,
    options: &'a Options,
    attacker: &'a Organization,
    bystander: &'a Bystander,
    alone: &'a [Waits],
}

impl Scene<'_> {
    /// Measures while attacks run; in the end the attacker is shut out, if that is asked for.
    fn attack(&self, name: &str, attacks: &[&'static Attack], shut_out: bool) -> Result<(), Failure> {
        let done = Arc::new(AtomicBool::new(false));
        let before = anonymous(self.server.pid())?;
        let statuses: Vec<_> = attacks
            .iter()
            .map(|attack| (attack.name, attack.begin(self.attacker, &done)))
            .collect();
        // Let it get under way.
        thread::sleep(Duration::from_secs(1));
        let watched = AtomicBool::new(false);
        let (waits, most) = thread::scope(|scope| {
            let watch = scope.spawn(|| peak(self.server.pid(), &watched));
            let waits = self.bystander.measure(self.options.duration);
            watched.store(true, Ordering::Relaxed);
            let most = watch.join().map_err(|_| Failure::new("the watch ended"))?;
            Ok::<_, Failure>((waits?, most?))
        })?;
        print_waits(name, &waits, self.alone);
        for (attack, statuses) in &statuses {
            println!("    {attack} was answered {}", statuses.text());
        }
        println!("    memory: {before:.0} MB before, at most {most:.0} MB (at most 400 MB)");
        if shut_out {
            self.shut_out()?;
        }
        done.store(true, Ordering::Relaxed);
        // Whatever was asked for is still worked on, and would be part of the next measurement.
        thread::sleep(Duration::from_secs(3));
        Ok(())
    }

    /// Disables the attacker's organization, and sees how soon that is in force.
    fn shut_out(&self) -> Result<(), Failure> {
        let began = Instant::now();
        self.server.command_line(&["org", "disable", "attacker"])?;
        let returned = began.elapsed();
        let target = format!("/Users/{}", id('a', 1));
        loop {
            let status = self.attacker.client()?.get(&target).map(|answer| answer.status);
            if matches!(status, Ok(401 | 403)) {
                break;
            }
        }
        println!(
            "    org disable returned after {:.2} s and was in force after {:.2} s (at most 1 s)",
            returned.as_secs_f64(),
            began.elapsed().as_secs_f64()
        );
        Ok(())
    }
}
